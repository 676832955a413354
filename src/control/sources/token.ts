import { readFile, stat } from 'node:fs/promises';

export type TokenRead =
  | { readonly ok: true; readonly token: string }
  /** Names the file, never what is in it. */
  | { readonly ok: false; readonly reason: string };

const MAX_TOKEN_BYTES = 64 << 10;
/** RFC 6750's b64token is narrower, but servers take more than that; a line break or a space they do not. */
const TOKEN = /^[\x21-\x7e]+$/;

/** Reads a bearer token; anew for every query, because such tokens are rotated under a running process. */
export async function readToken(path: string): Promise<TokenRead> {
  try {
    const text = await readBounded(path);
    if (text === null) return bad(`${path} is not a regular file of at most ${MAX_TOKEN_BYTES} bytes`);
    const token = text.trim();
    return TOKEN.test(token) ? { ok: true, token } : bad(`${path} does not hold one token`);
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    return bad(`cannot read ${path}: ${code ?? message}`);
  }
}

/** Opening a pipe, or reading a device, could keep the reader for ever. */
async function readBounded(path: string): Promise<string | null> {
  const about = await stat(path);
  return about.isFile() && about.size <= MAX_TOKEN_BYTES ? await readFile(path, 'utf8') : null;
}

function bad(reason: string): TokenRead {
  return { ok: false, reason: `bearerTokenFile: ${reason}` };
}
