"""The risk report: evidence of a bundle, one function per section, lights by a policy file, and one place that draws.

A section (``catalogue.py`` lists them) takes :class:`~training.reporting.evidence.Evidence` and gives lights, tables
and figures; page, PDF and JSON are made of those alone. A new section is one function and its words.
"""
