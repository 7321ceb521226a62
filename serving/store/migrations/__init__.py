"""Steps that bring a database to the tables of ``serving/store/schema.py``, applied when the store is opened."""
