"""Contact-policy packs: dated rules about when and how a debtor may be contacted, each with the law it rests on.

A pack is operations' and compliance's file, and no legal advice.
"""

from decisioning.contact_policy.kinds import RULE_KINDS
from decisioning.contact_policy.pack import ContactPolicy, load_contact_policy
from decisioning.contact_policy.rules import Rule

__all__ = ["RULE_KINDS", "ContactPolicy", "Rule", "load_contact_policy"]
