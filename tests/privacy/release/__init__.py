"""The release gate: specs, bounds, ledger, and the attacks it must withstand."""
