"""Networks of series: TimeVAE and RCGAN."""
