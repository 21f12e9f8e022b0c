select * from {{ source('landed', 'ledger') }}
