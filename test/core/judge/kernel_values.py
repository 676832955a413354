#!/usr/bin/env python3
"""Values for the judge's kernels, computed another way: python3 kernel_values.py > kernel_values.json, then biome formats it

Only the standard library. Every e-value is a finite sum of finite products of rational numbers, so it is
computed exactly (fractions.Fraction) and its logarithm taken once, at the end, with 60 digits (decimal).
Gamma functions appear only as quotients of rising factorials, or at halves, where they are products too;
restarts are summed by brute force, one product for each start.
"""
import json
import random
from decimal import Decimal, getcontext
from fractions import Fraction as F

getcontext().prec = 60
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")


def ln(x):
    """ln of a positive fraction."""
    return (Decimal(x.numerator) / Decimal(x.denominator)).ln()


def frac(x):
    """The double that the judge is given, exactly."""
    return F(x)


def mean(xs):
    xs = list(xs)
    return sum(xs, F(0)) / len(xs)


UP = ["1.5", "2", "3", "5", "10", "20", "50"]
DOWN = ["0.5", "0.25", "0.1", "0.02"]
MORE = UP + ["100"]
LESS = ["0.99", "0.97", "0.95", "0.9", "0.8", "0.65", "0.5"]
BETS = ["0.02", "0.05", "0.1", "0.2", "0.4", "0.8", "1.6", "2.6"]


def b(k, n, q0, grid):
    q0 = F(q0)
    qs = [min(q0 * F(m), F(99, 100)) for m in grid]
    return ln(mean((q / q0) ** k * ((1 - q) / (1 - q0)) ** (n - k) for q in qs))


def theta(rho, w):
    return w * rho / (w * rho + 1 - w)


def factor(kc, ks, w, rho0, m):
    t0, t = theta(rho0, w), theta(m * rho0, w)
    return (t / t0) ** kc * ((1 - t) / (1 - t0)) ** ks


def r(stages, rho0, grid):
    def product(m):
        p = F(1)
        for kc, ks, w in stages:
            p *= factor(kc, ks, F(w), F(rho0), m)
        return p

    return ln(mean(product(F(m)) for m in grid))


def restarts(slices, rho0):
    """sum over starts j of E_(j..end) / (j (j+1)), and what is left of the weight."""
    total = F(1, len(slices) + 1)
    for j in range(1, len(slices) + 1):
        products = []
        for m in MORE:
            p = F(1)
            for kc, ks, w in slices[j - 1 :]:
                p *= factor(kc, ks, F(w), F(rho0), F(m))
            products.append(p)
        total += mean(products) / (j * (j + 1))
    return ln(total)


def bounded(histogram, m, side):
    m = F(m)
    limit = 1 / (1 - m) if side == "tooLow" else 1 / m
    sign = -1 if side == "tooLow" else 1
    products = []
    for bet in (F(l) for l in BETS):
        if bet >= limit:
            continue
        p = F(1)
        for bin_, n in histogram.items():
            x = F(bin_ + (1 if side == "tooLow" else 0), 256)
            p *= (1 + sign * bet * (x - m)) ** n
        products.append(p)
    return ln(mean(products))


def rising(a, n):
    p = F(1)
    for i in range(n):
        p *= a + i
    return p


def sample_ratio(counts, weights):
    n = sum(counts)
    total = F(0)
    for kappa in (F(100), F(10_000)):
        p = 1 / rising(kappa, n)
        for count, w in zip(counts, weights):
            p *= rising(kappa * F(w), count) / F(w) ** count
        total += p / 2
    return ln(total)


def against_rate(k, n, p):
    """Beta(k+1/2, n-k+1/2) / Beta(1/2, 1/2) is a quotient of rising factorials; then bisection in decimals."""
    mixture = rising(F(1, 2), k) * rising(F(1, 2), n - k) / rising(F(1), n)
    p = Decimal(p)
    likelihood = Decimal(0)
    if k:
        likelihood += k * p.ln()
    if n - k:
        likelihood += (n - k) * (1 - p).ln()
    return ln(mixture) - likelihood


def interval(k, n, alpha):
    limit = -Decimal(alpha).ln()

    def bound(outside, inside):
        outside, inside = Decimal(outside), Decimal(inside)
        for _ in range(60):
            middle = (outside + inside) / 2
            if against_rate(k, n, middle) < limit:
                inside = middle
            else:
                outside = middle
        return inside

    mode = Decimal(k) / n
    return [0 if k == 0 else bound(0, mode), 1 if k == n else bound(1, mode)]


def ln_gamma_of_half(twice):
    """ln Gamma(twice / 2) as a product, from Gamma(1) = 1 and Gamma(1/2) = sqrt(pi)."""
    if twice % 2 == 0:
        return ln(rising(F(1), twice // 2 - 1))
    return ln(rising(F(1, 2), twice // 2)) + PI.ln() / 2


def main():
    rng = random.Random(4)
    out = {"lnGamma": [], "b": [], "r": [], "restarts": [], "bounded": [], "sampleRatio": [], "interval": []}
    for twice in [1, 2, 3, 5, 11, 38, 39, 40, 41, 42, 99, 100, 1001]:
        out["lnGamma"].append({"x": twice / 2, "value": float(ln_gamma_of_half(twice))})
    for k, n, q0, side in [
        (5, 100, "0.01", "UP"), (0, 500, "0.01", "DOWN"), (0, 1, "0.01", "UP"), (3, 3, "0.05", "UP"),
        (40, 300, "0.2", "UP"), (12, 1000, "0.02", "DOWN"), (1, 357, "0.01", "DOWN"), (30, 40, "0.5", "DOWN"),
        (200, 1500, "0.1", "UP"), (0, 0, "0.01", "DOWN"),
    ]:
        out["b"].append({"k": k, "n": n, "q0": float(q0), "side": side,
                         "value": float(b(k, n, q0, UP if side == "UP" else DOWN))})
    for stages, rho0, grid in [
        ([(5, 20, "0.05")], "1", "MORE"), ([(1, 99, "0.01")], "1", "MORE"),
        ([(3, 50, "0.01"), (9, 60, "0.05"), (40, 90, "0.25")], "1.25", "MORE"),
        ([(0, 0, "0.5")], "1", "MORE"), ([(0, 300, "0.05"), (2, 10, "0.5")], "1.5", "MORE"),
        ([(90, 1000, "0.1")], "0.95", "LESS"), ([(480, 520, "0.5"), (20, 300, "0.05")], "0.95", "LESS"),
    ]:
        out["r"].append({"stages": [{"kc": c, "ks": s, "w": float(w)} for c, s, w in stages], "rho0": float(rho0),
                         "grid": grid, "value": float(r(stages, rho0, MORE if grid == "MORE" else LESS))})
    for length in (1, 2, 7, 25):
        slices = [(rng.randint(0, 3), rng.randint(0, 30), rng.choice(["0.01", "0.05", "0.25"])) for _ in range(length)]
        out["restarts"].append({"slices": [{"kc": c, "ks": s, "w": float(w)} for c, s, w in slices], "rho0": 1,
                                "value": float(restarts(slices, "1"))})
    for m, histogram, side in [
        ("0.7", {127: 20}, "tooLow"), ("0.7", {200: 60, 255: 3, 90: 5}, "goodEnough"), ("0.3", {10: 40, 80: 9}, "tooLow"),
        ("0.9", {0: 2, 255: 200}, "goodEnough"), ("0.5", {127: 7, 128: 7}, "goodEnough"), ("0.5", {127: 7, 128: 7}, "tooLow"),
    ]:
        out["bounded"].append({"m": float(m), "side": side, "histogram": histogram, "value": float(bounded(histogram, m, side))})
    for counts, weights in [
        ([60, 940], ["0.05", "0.95"]), ([50, 950], ["0.05", "0.95"]), ([0, 200], ["0.01", "0.99"]),
        ([300, 330, 370], ["0.25", "0.25", "0.5"]), ([900, 1100], ["0.5", "0.5"]),
    ]:
        out["sampleRatio"].append({"counts": counts, "weights": [float(w) for w in weights],
                                   "value": float(sample_ratio(counts, weights))})
    for k, n, alpha in [(5, 100, "0.05"), (0, 50, "0.05"), (7, 7, "0.01"), (1, 3, "0.05"), (300, 1000, "0.01"), (2, 5000, "0.05")]:
        low, high = interval(k, n, alpha)
        out["interval"].append({"k": k, "n": n, "alpha": float(alpha), "low": float(low), "high": float(high)})
    print(json.dumps(out, indent=1))


main()
