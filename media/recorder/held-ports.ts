import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Whether a process listens on these UDP ports of 127.0.0.1. It is the only answer that is safe to send sound to: a port
 * that merely is taken may be somebody else's.
 */
export async function holdsPorts(pid: number, ports: readonly number[]): Promise<boolean> {
  try {
    const sockets = await udpSockets(ports);
    if (sockets.length < ports.length) return false;
    const folder = `/proc/${pid}/fd`;
    const held = new Set(
      await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => ''))),
    );
    return sockets.every((inode) => held.has(`socket:[${inode}]`));
  } catch {
    // The process is gone, or this is no Linux.
    return false;
  }
}

/** The inodes of the UDP sockets bound to these ports of 127.0.0.1: see proc(5), `/proc/net/udp`. */
async function udpSockets(ports: readonly number[]): Promise<string[]> {
  const addresses = new Set(
    ports.map((port) => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`),
  );
  const [, ...lines] = (await readFile('/proc/net/udp', 'latin1')).split('\n');
  return lines.flatMap((line) => {
    const fields = line.trim().split(/ +/);
    const [, address = '', , , , , , , , inode = ''] = fields;
    return addresses.has(address) ? [inode] : [];
  });
}
