import { createServer } from 'node:net';

/**
 * The port to listen on: the wanted one, if there is one; else the usual one while it is free; else 0,
 * which lets the system choose.
 */
export async function choosePort(wanted: number | null, usual: number, host: string): Promise<number> {
  if (wanted !== null) return wanted;
  return (await isFree(usual, host)) ? usual : 0;
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
