# Record R's nnet; see problem.md. `Rscript nnet.R` prints JSON.
library(nnet)
r <- 0:5
x <- cbind(sin(2 * r), sin(2 * r + 3))
y <- cbind(0.5 + 0.4 * cos(r), 0.5 + 0.4 * cos(r + 2))
classes <- cbind(c(1, 0, 0, 1, 0, 0), c(0, 1, 1, 0, 1, 1))
start <- 0.5 * sin(3 * 0:16 + 1)
# nnet's own order: for each unit its bias, then its weights. Position of each of problem.md's numbers in it:
place <- c(2, 5, 8, 3, 6, 9, 1, 4, 7, 11, 15, 12, 16, 13, 17, 10, 14)
own <- numeric(17)
own[place] <- start
numbers <- function(v) paste0("[", paste(formatC(v, digits = 9, format = "g"), collapse = ","), "]")
case <- function(name, options, y, ...) {
  after <- c(); reported <- c()
  for (steps in 1:3) {
    net <- nnet(x, y, size = 3, Wts = own, maxit = steps, trace = FALSE, ...)
    after <- c(after, numbers(net$wts[place]))
    reported <- c(reported, net$value)
  }
  end <- nnet(x, y, size = 3, Wts = own, trace = FALSE, ...)
  sprintf('"%s":{"options":%s,"after":[%s],"reported":%s,"final":[%.9g,%d]}',
    name, options, paste(after, collapse = ","), numbers(reported), end$value, end$convergence)
}
cases <- c(
  case("default", "{}", y),
  case("linout", '{"linout":true}', y, linout = TRUE),
  case("linout decay", '{"linout":true,"decay":0.01}', y, linout = TRUE, decay = 0.01),
  case("entropy", '{"entropy":true,"decay":0.01}', y, entropy = TRUE, decay = 0.01),
  case("softmax", '{"softmax":true,"decay":0.01}', classes, softmax = TRUE, decay = 0.01),
  case("strong decay", '{"linout":true,"decay":0.1}', y, linout = TRUE, decay = 0.1)
)
set.seed(1)
drawn <- replicate(2000, nnet(x, y, size = 3, maxit = 0, trace = FALSE)$wts[place])
q <- function(rows) numbers(quantile(drawn[rows, ], c(0, .05, .25, .5, .75, .95, 1), type = 1))
init <- sprintf('{"w1":%s,"b1":%s,"w2":%s,"b2":%s}', q(1:6), q(7:9), q(10:15), q(16:17))
cat(sprintf('{"nnet":{"version":"%s","cases":{%s},"init":%s}}\n',
  packageVersion("nnet"), paste(cases, collapse = ","), init))
