select * from {{ source('landed', 'gate_decisions') }}
