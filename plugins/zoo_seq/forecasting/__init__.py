"""Time series: what comes next in a row of numbers."""
