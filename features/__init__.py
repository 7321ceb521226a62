"""Declarations of features and one engine, offline and online: tables in, a matrix as known at ``as_of`` out."""
