import { IncomingMessage } from 'node:http';

/**
 * A client's request, with two of Node's habits mended.
 *
 * Only the client can destroy it: undici destroys a request's body stream when
 * the upstream answers before the body was sent whole; on a plain
 * IncomingMessage that tears the client's connection down under the answer. Here
 * a destroy is carried out only once the client's connection is gone or the
 * request was read to its end.
 *
 * Only a WebSocket is an upgrade: Node 20 hands the socket of every request with
 * an Upgrade header over as soon as somebody listens for upgrades, and its body
 * with it. RFC 9110 section 7.8 lets a server ignore an Upgrade it does not want.
 */
export class DownstreamRequest extends IncomingMessage {
  // Node's parser sets and asks this; a field of our own would be made after the base class has set it.
  declare parsedUpgrade: boolean | null;

  get upgrade(): boolean {
    return this.parsedUpgrade === true && asksForWebSocket(this);
  }

  set upgrade(value: boolean | null) {
    this.parsedUpgrade = value;
  }

  override destroy(error?: Error): this {
    const over = this.complete && this.readableEnded;
    if (!over && this.socket !== null && !this.socket.destroyed) return this;
    return super.destroy(error);
  }
}

function asksForWebSocket(req: IncomingMessage): boolean {
  return req.method === 'GET' && req.headers.upgrade?.toLowerCase() === 'websocket';
}

/** A request to become a WebSocket (RFC 6455 section 4.1). */
export function isWebSocket(req: IncomingMessage): boolean {
  return (req as { upgrade?: boolean }).upgrade === true && asksForWebSocket(req);
}

/** Whether a request carries an Upgrade that was ignored; Node drops what is pipelined behind one. */
export function ignoredUpgrade(req: IncomingMessage): boolean {
  return (req as { parsedUpgrade?: boolean | null }).parsedUpgrade === true;
}
