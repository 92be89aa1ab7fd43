# Trains x^2 on 21 points of [-1, 1] with R's nnet by its defaults, for many seeds, and prints the final mean squared
# errors as a JSON list. Rscript nnet.R [seeds]
library(nnet)
given <- commandArgs(trailingOnly = TRUE)
seeds <- if (length(given)) as.integer(given[1]) else 200
x <- matrix(seq(-1, 1, length.out = 21))
y <- x^2
set.seed(1)
errors <- replicate(seeds, mean((nnet(x, y, size = 10, trace = FALSE)$fitted.values - y)^2))
cat("[", paste(formatC(errors, digits = 9, format = "g"), collapse = ", "), "]\n", sep = "")
