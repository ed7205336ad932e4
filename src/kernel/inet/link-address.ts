/** struct sockaddr_ll, include/uapi/linux/if_packet.h: a link, an Ethernet type, and the MAC of a receiver. */
export function encodeLinkAddress(
  index: number,
  etherType: number,
  mac: Uint8Array = new Uint8Array(),
): Buffer {
  const bytes = Buffer.alloc(SIZEOF_SOCKADDR_LL);
  bytes.writeUInt16LE(AF_PACKET, 0);
  bytes.writeUInt16BE(etherType, 2);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt8(mac.length, 11);
  bytes.set(mac, 12);
  return bytes;
}

/** include/linux/socket.h and include/uapi/linux/if_ether.h */
export const AF_PACKET = 17;
export const SIZEOF_SOCKADDR_LL = 20;
export const ETH_P_IP = 0x0800;
export const ETH_P_ARP = 0x0806;
