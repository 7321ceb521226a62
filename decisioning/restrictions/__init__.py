"""What each kind of rule comes to on a page of accounts: spans of time in which it forbids an action."""
