import { Socket } from 'node:net';
import t from 'tap';
import { addressKey, plainAddress, TrustedProxies } from '../../src/gateway/peers.ts';

t.test('trust goes by range, IPv4 and IPv6 apart, mapped IPv4 as IPv4', async (t) => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.7/32', '2001:db8::/32', '::1/128']);
  const table: readonly (readonly [string, boolean])[] = [
    ['10.0.0.1', true],
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['9.255.255.255', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['::ffff:10.1.2.3', true],
    ['::FFFF:10.1.2.3', true],
    ['::ffff:11.1.2.3', false],
    ['2001:db8::1', true],
    ['2001:db8:ffff:ffff::1', true],
    ['2001:db9::1', false],
    ['::1', true],
    ['::2', false],
    ['', false],
    ['proxy', false],
  ];
  for (const [address, trusted] of table) t.equal(proxies.trusts(address), trusted, address);
});

t.test('0.0.0.0/0 is every IPv4 address and no IPv6 one', async (t) => {
  const proxies = new TrustedProxies(['0.0.0.0/0']);
  t.equal(proxies.trusts('203.0.113.9'), true);
  t.equal(proxies.trusts('::1'), false);
  t.equal(new TrustedProxies(['::/0']).trusts('203.0.113.9'), false);
});

t.test('nobody is trusted where no range is given', async (t) => {
  const proxies = new TrustedProxies([]);
  t.equal(proxies.trusts('127.0.0.1'), false);
  const peer = { address: '127.0.0.1', trusted: false };
  t.equal(proxies.clientAddress(peer, '198.51.100.1'), '127.0.0.1');
});

t.test('a range that is none is refused at once', async (t) => {
  for (const cidr of ['10.0.0.0/33', '10.0.0.0', 'example.com/8', '']) {
    t.throws(() => new TrustedProxies([cidr]), cidr);
  }
});

const proxies = new TrustedProxies(['10.0.0.0/8', 'fd00::/8']);
const proxy = { address: '10.0.0.1', trusted: true };

t.test('the client is the first hop from the right that is no trusted proxy', async (t) => {
  const table: readonly (readonly [forwardedFor: string | undefined, client: string, why: string])[] = [
    [undefined, '10.0.0.1', 'no header'],
    ['', '10.0.0.1', 'an empty header'],
    ['198.51.100.1', '198.51.100.1', 'one hop'],
    ['1.2.3.4, 198.51.100.1', '198.51.100.1', 'what stands left of it is hearsay'],
    ['1.2.3.4, 198.51.100.1, 10.0.0.9', '198.51.100.1', 'a trusted hop is passed over'],
    ['198.51.100.1,10.0.0.8,fd00::1', '198.51.100.1', 'several, without spaces'],
    ['10.0.0.5, 10.0.0.6', '10.0.0.5', 'all trusted: the farthest'],
    ['127.0.0.1, 198.51.100.1', '198.51.100.1', 'a forged loopback is not reached'],
    ['198.51.100.1:4711', '198.51.100.1', 'a port'],
    ['[2001:db8::5]:4711', '2001:db8::5', 'IPv6 with a port'],
    ['[2001:db8::5]', '2001:db8::5', 'IPv6 in brackets'],
    ['2001:db8::5', '2001:db8::5', 'IPv6 bare'],
    ['198.51.100.1, 10.0.0.9:80', '198.51.100.1', 'a port at a trusted hop'],
    ['::ffff:198.51.100.1', '198.51.100.1', 'mapped IPv4'],
    [' 198.51.100.1 ', '198.51.100.1', 'spaces'],
  ];
  for (const [forwardedFor, client, why] of table) {
    t.equal(proxies.clientAddress(proxy, forwardedFor), client, why);
  }
});

t.test('a hop that is no address ends the walk at the last one that was', async (t) => {
  const garbage = [
    'unknown',
    '_hidden',
    '',
    'a.b.c.d',
    '1.2.3.4.5',
    '10',
    '1.2.3',
    '0x7f.1',
    '[',
    ']',
    '[]',
    ':',
    '-',
  ];
  for (const hop of garbage) {
    t.equal(proxies.clientAddress(proxy, hop), '10.0.0.1', `'${hop}' alone`);
    t.equal(
      proxies.clientAddress(proxy, `198.51.100.1, ${hop}, 10.0.0.9`),
      '10.0.0.9',
      `'${hop}' in the middle`,
    );
  }
});

t.test('a stranger is believed nothing', async (t) => {
  const stranger = { address: '203.0.113.5', trusted: false };
  t.equal(proxies.clientAddress(stranger, '198.51.100.1, 10.0.0.9'), '203.0.113.5');
});

t.test('the key of IPv6 is its /64, of IPv4 the address', async (t) => {
  t.equal(addressKey('2001:db8:1:2:3:4:5:6'), addressKey('2001:db8:1:2::'));
  t.equal(addressKey('2001:db8:1:2:ffff:ffff:ffff:ffff'), '2001:db8:1:2::/64');
  t.not(addressKey('2001:db8:1:3::1'), addressKey('2001:db8:1:2::1'));
  t.equal(addressKey('2001:0DB8:0001:0002::9'), '2001:db8:1:2::/64', 'spelling does not matter');
  t.equal(addressKey('198.51.100.1'), '198.51.100.1');
  t.equal(addressKey('::ffff:198.51.100.1'), '198.51.100.1', 'mapped');
  t.equal(addressKey('::FFFF:c633:6401'), '198.51.100.1', 'mapped, in hexadecimal');
  t.equal(addressKey(''), '');
});

t.test('a mapped address is shown as IPv4', async (t) => {
  t.equal(plainAddress('::ffff:127.0.0.1'), '127.0.0.1');
  t.equal(plainAddress('127.0.0.1'), '127.0.0.1');
  t.equal(plainAddress('::1'), '::1');
});

t.test('a peer is looked up once a connection', async (t) => {
  let asked = 0;
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', {
    get: () => {
      asked++;
      return '::ffff:10.0.0.3';
    },
  });
  const first = proxies.peerOf(socket);
  t.match(first, { address: '10.0.0.3', trusted: true });
  t.equal(proxies.peerOf(socket), first);
  t.equal(asked, 1);
  t.equal(new TrustedProxies([]).peerOf(socket).trusted, false, 'each Split anew');
});
