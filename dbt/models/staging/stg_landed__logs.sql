select * from {{ source('landed', 'logs') }}
