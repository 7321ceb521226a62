"""What has to hold before a version becomes champion, and the record of what was promoted, by whom and why."""
