import t from 'tap';
import * as format from '../../src/dashboard/format.ts';

t.test('numbers, in words that keep their width', async (t) => {
  const table: [string, unknown][] = [
    [format.count(0), '0'],
    [format.count(999), '999'],
    [format.count(4_031), '4,031'],
    [format.count(1_234_567), '1,234,567'],
    [format.share(0), '0 %'],
    [format.share(0.066), '6.6 %'],
    [format.share(0.00042), '0.042 %'],
    [format.share(1), '100 %'],
    [format.share(0.9996), '99.96 %'],
    [format.weight(12.5), '12.5 %'],
    [format.weight(100), '100 %'],
    [format.points(0.031), '+3.1'],
    [format.points(-0.004), '−0.4'],
    [format.points(0.0001), '0'],
    [format.rate(0.4), '0.4'],
    [format.rate(12.54), '12.5'],
    [format.rate(1_204.4), '1,204'],
    [format.latency(0.8), '0.8 ms'],
    [format.latency(21.04), '21 ms'],
    [format.latency(187.4), '187 ms'],
    [format.latency(1_940), '1.94 s'],
    [format.fraction(0.94312), '0.943'],
    [format.duration(0), '0 s'],
    [format.duration(41_100), '42 s'],
    [format.duration(720_000), '12 min'],
    [format.duration(9.9 * 3_600_000), '9.9 h'],
    [format.duration(72 * 3_600_000), '3 days'],
    [format.countdown(8_100), '0:09'],
    [format.countdown(760_000), '12:40'],
    [format.countdown(11_100_000), '3:05:00'],
    [format.countdown(-5), '0:00'],
    [format.evidence(0.42), '0.42'],
    [format.evidence(4.62), '4.6'],
    [format.evidence(311), '311'],
    [format.evidence(3e12), '10^12'],
    [format.evidence(null), 'beyond counting'],
    [format.ago(900), 'just now'],
    [format.ago(40_900), '40 s ago'],
    [format.plural(1, 'service'), '1 service'],
    [format.plural(1_200, 'service'), '1,200 services'],
  ];
  for (const [got, wanted] of table) t.equal(got, wanted);
});

t.test('what is not known is never a zero', async (t) => {
  const { count, share, points, weight, rate, latency, fraction, duration } = format;
  for (const told of [count, share, points, weight, rate, latency, fraction, duration]) {
    t.equal(told(null), format.NONE, told.name);
  }
});

t.test('a moment of another day has its day', async (t) => {
  const at = new Date(2026, 10, 27, 2, 41, 7).getTime();
  t.equal(format.clock(at), '02:41:07');
  t.equal(format.moment(at, at + 1000), '02:41:07');
  t.equal(format.moment(at, at + 86_400_000), '27 Nov 02:41:07');
});
