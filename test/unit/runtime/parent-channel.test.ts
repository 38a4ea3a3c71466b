import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { ParentChannel } from '../../../src/runtime/parent-channel.ts';

let heard: (object | string)[];
const onGone = () => void heard.push('gone');

beforeEach(() => {
  heard = [];
});

/** `process` as it is when a process of ours started it. */
function withParent(connected = true) {
  return Object.assign(new EventEmitter(), {
    connected,
    send: (message: object) => void heard.push(message),
    disconnect: () => void heard.push('disconnected'),
  });
}

describe('ParentChannel', () => {
  it('tells when the parent is gone', () => {
    const end = withParent();
    const channel = new ParentChannel(onGone, end);
    expect(heard).toEqual([]);
    end.emit('disconnect');
    expect(heard).toEqual(['gone']);
    channel[Symbol.dispose]();
  });

  it('tells of a parent that was gone before', () => {
    const channel = new ParentChannel(onGone, withParent(false));
    expect(heard).toEqual(['gone']);
    channel[Symbol.dispose]();
  });

  it('sends while there is somebody to hear it, and lets go in the end', () => {
    const end = withParent();
    const channel = new ParentChannel(onGone, end);
    channel.send({ type: 'ready' });
    channel[Symbol.dispose]();
    expect(heard).toEqual([{ type: 'ready' }, 'disconnected']);
    end.emit('disconnect');
    end.connected = false;
    channel.send({ type: 'late' });
    channel[Symbol.dispose]();
    expect(heard).toHaveLength(2);
  });

  it('does nothing without a parent of ours', () => {
    const channel = new ParentChannel(onGone, new EventEmitter());
    channel.send({ type: 'ready' });
    channel[Symbol.dispose]();
    expect(heard).toEqual([]);
  });
});
