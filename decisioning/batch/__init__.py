"""Decisions on portfolios of any size: shard by shard, with what must be decided together decided together.

A shard's part is a function of plain values that knows no runner. What a portfolio shares, scarce resources above all,
is gathered between two passes over the shards.
"""
