"""What runs when: Dagster assets, checks and schedules over the lake and the marts."""
