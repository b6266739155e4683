"""`python -m resbench.metrics.memory`: the process in which memory is measured."""

from resbench.metrics.memory.measuring import main

main()
