/**
 * How the body of an answer begins, as text of at most so many bytes; what comes after that is not waited for. Never
 * rejects: the status has answered already, and a body that breaks off or is late takes nothing of it back.
 */
export async function beginningOf(body: AsyncIterable<Uint8Array>, mostBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      // Leaving the loop destroys the body, and with it the connection.
      if (bytes >= mostBytes) break;
    }
  } catch {
    // What came has to do.
  }
  return Buffer.concat(chunks).subarray(0, mostBytes).toString('utf8');
}
