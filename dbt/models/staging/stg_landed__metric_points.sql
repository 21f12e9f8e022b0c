select * from {{ source('landed', 'metric_points') }}
