"""Pages for people, drawn here without scripts: reports by model version, decisions, champion against challenger."""
