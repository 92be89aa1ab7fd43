# What R's nnet and optim make of given starts: `Rscript nnet.R` writes nnet.csv, nnet_values.csv and optim.csv here.
# Needs r-base-core and r-cran-nnet; run once, the files are committed. Read by tests/test_second_order.py.
library(nnet)
x <- c(seq(0, 10, length.out = 100), seq(11, 20, length.out = 100), seq(21, 30, length.out = 100))
y <- rep(c(0, 1, 0), each = 100)
z <- (x - mean(x)) / sqrt(mean((x - mean(x))^2))
cases <- list(
  raw_entropy = list(x = x, entropy = TRUE, decay = 0),
  raw_squares = list(x = x, entropy = FALSE, decay = 0),
  standardised_entropy = list(x = z, entropy = TRUE, decay = 0),
  standardised_squares = list(x = z, entropy = FALSE, decay = 0),
  standardised_decay = list(x = z, entropy = TRUE, decay = 0.01)
)
fit <- function(case, start) {
  nnet(matrix(case$x), y, size = 2, Wts = start, entropy = case$entropy, decay = case$decay, trace = FALSE)
}
accuracy <- function(case, net) mean((predict(net, matrix(case$x)) > 0.5) == y)
set.seed(1)
paths <- list()
values <- list()
for (name in names(cases)) {
  case <- cases[[name]]
  for (n in 1:40) { # weights b1 w1 b2 w2 b w1 w2: bias first, unit by unit
    start <- runif(7, -0.7, 0.7)
    net <- fit(case, start)
    paths[[length(paths) + 1]] <- data.frame(case = name, t(start), value = net$value, iterations_used_up = net$convergence)
  }
  found <- replicate(500, { net <- fit(case, runif(7, -0.7, 0.7)); c(net$value, net$convergence, accuracy(case, net)) })
  values[[length(values) + 1]] <- data.frame(
    case = name, value = signif(found[1, ], 5), iterations_used_up = found[2, ], accuracy = signif(found[3, ], 5)
  )
}
write.csv(do.call(rbind, paths), "nnet.csv", row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, values), "nnet_values.csv", row.names = FALSE, quote = FALSE)

# optim(method = "BFGS") with its evaluations: Rosenbrock's banana and a badly scaled quadratic.
banana <- function(x) 100 * (x[2] - x[1]^2)^2 + (1 - x[1])^2
banana_gradient <- function(x) c(-400 * x[1] * (x[2] - x[1]^2) - 2 * (1 - x[1]), 200 * (x[2] - x[1]^2))
bowl <- function(x) sum(c(1, 100, 1e4) * x^2)
bowl_gradient <- function(x) 2 * c(1, 100, 1e4) * x
rows <- list()
for (maxit in c(5, 20, 100)) for (start in list(c(-1.2, 1), c(2, -3))) {
  o <- optim(start, banana, banana_gradient, method = "BFGS", control = list(maxit = maxit))
  rows[[length(rows) + 1]] <- data.frame(f = "banana", maxit, x1 = start[1], x2 = start[2], x3 = 0, evaluations = o$counts[[1]],
    gradients = o$counts[[2]], value = o$value, iterations_used_up = o$convergence)
}
for (start in list(c(1, 1, 1), c(-5, 0.3, 2))) {
  o <- optim(start, bowl, bowl_gradient, method = "BFGS")
  rows[[length(rows) + 1]] <- data.frame(f = "bowl", maxit = 100, x1 = start[1], x2 = start[2], x3 = start[3], evaluations = o$counts[[1]],
    gradients = o$counts[[2]], value = o$value, iterations_used_up = o$convergence)
}
write.csv(do.call(rbind, rows), "optim.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "nnet", as.character(packageVersion("nnet")), "\n")
