"""How the model that the project ships, ``models/memfit-tiny``, is made and measured."""
