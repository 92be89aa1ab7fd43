# R's nnet on the standardised interval: seconds for that many trainings, and how many got every row right.
# Rscript nnet.R TRAININGS; run by experiments/second_order_speed.py.
library(nnet)
n <- as.integer(commandArgs(trailingOnly = TRUE)[1])
x <- c(seq(0, 10, length.out = 100), seq(11, 20, length.out = 100), seq(21, 30, length.out = 100))
x <- matrix((x - mean(x)) / sqrt(mean((x - mean(x))^2)))
y <- rep(c(0, 1, 0), each = 100)
set.seed(1)
seconds <- system.time(
  nets <- lapply(seq_len(n), function(i) nnet(x, y, size = 2, entropy = TRUE, trace = FALSE))
)[["elapsed"]]
right <- sum(sapply(nets, function(net) all((net$fitted.values > 0.5) == y)))
cat(sprintf('{"seconds": %.6f, "right": %d, "version": "R %s, nnet %s"}\n', seconds, right, getRversion(), packageVersion("nnet")))
