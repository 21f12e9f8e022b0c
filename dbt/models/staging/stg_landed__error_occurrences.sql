select * from {{ source('landed', 'error_occurrences') }}
