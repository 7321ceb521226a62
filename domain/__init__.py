"""The words everyone shares: canonical tables, moments, money, ledgers, balances, actions, decisions and errors."""
