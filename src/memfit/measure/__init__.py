"""Run a deployment under the memory a device has, watch every MB, and keep what was seen."""
