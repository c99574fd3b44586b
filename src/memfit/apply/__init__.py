"""Changes to a machine as one transaction: through whichever door, with the receipt that takes them back."""
