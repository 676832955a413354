import { isIP, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Who is at the other end of a client's connection. */
export interface Peer {
  /** Without the `::ffff:` of mapped IPv4. */
  readonly address: string;
  /** Whether its X-Forwarded-* and Forwarded are believed. */
  readonly trusted: boolean;
  /** What was last written into Forwarded for it. */
  hop?: { readonly authority: string; readonly proto: string; readonly text: string } | null;
}

/** A peer whose connection is at hand. */
export interface ConnectedPeer extends Peer {
  readonly connection: Connection;
}

/** What is known of a connection whichever proxies are trusted, and so outlives a swap. */
export interface Connection {
  /** An answer on it was its last: what is pipelined behind it is not looked at. */
  over: boolean;
}

const connections = new WeakMap<Socket, Connection>();

function connectionOf(socket: Socket): Connection {
  let connection = connections.get(socket);
  if (connection === undefined) {
    connection = { over: false };
    connections.set(socket, connection);
  }
  return connection;
}

/**
 * Which addresses may speak for others. Trust is by address range only: a count
 * of hops is unsafe, as whoever reaches the gateway by a shorter way writes the
 * hop that is believed (CVE-2026-3635).
 */
export class TrustedProxies {
  readonly #ranges: readonly Range[];
  readonly #peers = new WeakMap<Socket, ConnectedPeer>();

  constructor(cidrs: readonly string[]) {
    this.#ranges = cidrs.map((cidr) => ipaddr.parseCIDR(cidr) as Range);
  }

  /** Looked up once a connection. */
  peerOf(socket: Socket): ConnectedPeer {
    const held = this.#peers.get(socket);
    if (held !== undefined) return held;
    const address = plainAddress(socket.remoteAddress ?? '');
    const peer = { address, trusted: this.trusts(address), hop: null, connection: connectionOf(socket) };
    this.#peers.set(socket, peer);
    return peer;
  }

  trusts(address: string): boolean {
    if (this.#ranges.length === 0 || !ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return this.#ranges.some(([base, bits]) => {
      if (base instanceof ipaddr.IPv4) return parsed instanceof ipaddr.IPv4 && parsed.match(base, bits);
      return parsed instanceof ipaddr.IPv6 && parsed.match(base, bits);
    });
  }

  /**
   * The client's address: walking X-Forwarded-For from the right, the first hop
   * that is not a trusted proxy. What stands left of it is hearsay.
   */
  clientAddress(peer: Peer, forwardedFor: string | undefined): string {
    if (!peer.trusted || forwardedFor === undefined) return peer.address;
    const hops = forwardedFor.split(',');
    let client = peer.address;
    for (let i = hops.length - 1; i >= 0; i--) {
      const hop = addressOfHop(hops[i] as string);
      if (hop === null) return client;
      client = hop;
      if (!this.trusts(hop)) return hop;
    }
    return client;
  }
}

/** The key of an address: IPv4 as it is, IPv6 as its /64, which is what one subscriber has. */
export function addressKey(address: string): string {
  if (!address.includes(':') || !ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const parts = [...parsed.parts.slice(0, 4), 0, 0, 0, 0];
  return `${new ipaddr.IPv6(parts).toString()}/64`;
}

export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function addressOfHop(text: string): string | null {
  let hop = text.trim();
  if (hop.startsWith('[')) hop = hop.slice(1, hop.indexOf(']') < 0 ? undefined : hop.indexOf(']'));
  else if (hop.indexOf(':') === hop.lastIndexOf(':') && hop.includes(':'))
    hop = hop.slice(0, hop.indexOf(':'));
  // Strict: ipaddr.js would take `10` and `0x7f.1` for addresses as well.
  return isIP(hop) === 0 ? null : plainAddress(hop);
}
