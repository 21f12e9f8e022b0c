"""`python -m ingestion.meaning` prints the variables that dbt is run with (`make check` hands them over)."""

import sys

from ingestion.meaning.names import dbt_variables
from privacy.process_log.log import guard

guard()
sys.stdout.write(dbt_variables())
