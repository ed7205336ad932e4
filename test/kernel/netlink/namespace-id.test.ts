import { expect, test } from 'bun:test';
import { listLinks } from '../../../src/kernel/netlink/link.ts';
import { namespaceId } from '../../../src/kernel/netlink/namespace-id.ts';
import { openRouteSocket } from '../../../src/kernel/netlink/socket.ts';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { requires } from '../../requirements.ts';
import { scratchNamespace } from '../scratch.ts';

test.if(requires('root', 'ip'))(
  'it is the number that a link of the one has for its end in the other',
  () => {
    const [one, other] = [scratchNamespace(), scratchNamespace()];
    const [here, there] = [openNamespace(one.path), openNamespace(other.path)];
    const socket = openRouteSocket(here);
    try {
      expect(namespaceId(socket, there)).toBeUndefined();
      one.ip(`link add here type veth peer name there netns ${other.path.split('/').at(-1)}`);
      const id = namespaceId(socket, there);
      expect(id).toBeNumber();
      expect(listLinks(socket).find(({ name }) => name === 'here')?.linkNetnsid).toBe(id as number);
      expect(namespaceId(socket, here)).not.toBe(id);
    } finally {
      socket.close();
      for (const namespace of [here, there]) namespace.close();
      for (const scratch of [one, other]) scratch.remove();
    }
  },
);
