{{ measured_points(source('landed', 'metric_points_context')) }}
