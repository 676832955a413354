/** The one request that all load clients send: a prediction for a user, about 100 bytes of body. */
export const BODY =
  '{"sepalLength":5.1,"sepalWidth":3.5,"petalLength":1.4,"petalWidth":0.2,"requestedBy":"bench-client"}';

export const PATH = '/predict';

/** How many users the load comes from; each is one value of `x-user-id`. */
export const USERS = 4096;

export function userId(index: number): string {
  return `u${index}`;
}

/** The request as bytes on the wire; `host` names the authority the client believes it talks to. */
export function requestBytes(host: string, user: string): Buffer {
  return Buffer.from(
    `POST ${PATH} HTTP/1.1\r\nHost: ${host}\r\nx-user-id: ${user}\r\ncontent-type: application/json\r\n` +
      `content-length: ${BODY.length}\r\n\r\n${BODY}`,
    'latin1',
  );
}
