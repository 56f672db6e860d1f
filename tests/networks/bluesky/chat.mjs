// A double of Bluesky's chat service, which is closed source: conversations of two, a log for each member. Calls arrive through the PDS with its
// service token; each call and each answer is held against Bluesky's own lexicons (@atproto/api).
import { createServer } from 'node:http';

const NAME = 'did:web:api.bsky.chat';
const DEFS = 'chat.bsky.convo.defs#';

class Refused extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

export const startChat = async (pds, lexicons) => {
  const convos = new Map();
  const logs = new Map();
  let count = 0;
  const rev = () => String(++count).padStart(13, '0');
  const profile = async (did) => ({ did, handle: (await pds.ctx.accountManager.getAccount(did))?.handle ?? 'handle.invalid' });
  const view = async (convo) => ({
    id: convo.id, rev: convo.rev, muted: false, unreadCount: 0, members: await Promise.all(convo.members.map(profile)),
  });
  const convoOf = (id) => {
    if (!convos.has(id)) throw new Refused('InvalidConvo', 'no such conversation');
    return convos.get(id);
  };
  const between = (members) => {
    const id = [...new Set(members)].sort().map((did) => did.slice(-11)).join('');
    if (!convos.has(id)) convos.set(id, { id, rev: rev(), members: [...new Set(members)], messages: [] });
    return convos.get(id);
  };
  const tell = async (convo, kind, more) => {
    convo.rev = rev();
    const relatedProfiles = await Promise.all(convo.members.map(profile));
    for (const did of convo.members) {
      if (!logs.has(did)) logs.set(did, []);
      logs.get(did).push({ $type: `${DEFS}${kind}`, rev: convo.rev, convoId: convo.id, ...more, relatedProfiles });
    }
  };
  const react = async (kind, did, { convoId, messageId, value }) => {
    const convo = convoOf(convoId);
    const message = convo.messages.find((one) => one.id === messageId);
    const reaction = { value, sender: { did }, createdAt: new Date().toISOString() };
    const others = (message.reactions ?? []).filter((one) => one.value !== value || one.sender.did !== did);
    message.reactions = kind === 'logAddReaction' ? [...others, reaction] : others;
    await tell(convo, kind, { message, reaction });
    return { message };
  };

  const methods = {
    listConvos: async (did) => ({ convos: await Promise.all([...convos.values()].filter((one) => one.members.includes(did)).map(view)) }),
    getConvoForMembers: async (did, { members }) => ({ convo: await view(between([did, ...members])) }),
    getLog: async (did, { cursor = '' }) => {
      const fresh = (logs.get(did) ?? []).filter((one) => one.rev > cursor).slice(0, 50);
      return { logs: fresh, cursor: fresh.at(-1)?.rev ?? (cursor || '0'.repeat(13)) };
    },
    getMessages: async (did, { convoId }) => ({ messages: [...convoOf(convoId).messages].reverse() }),
    sendMessage: async (did, { convoId, message }) => {
      const convo = convoOf(convoId);
      const at = rev();
      const said = { $type: `${DEFS}messageView`, id: `m${at}`, rev: at, ...message, sender: { did }, sentAt: new Date().toISOString() };
      convo.messages.push(said);
      await tell(convo, 'logCreateMessage', { message: said });
      return said;
    },
    updateRead: async (did, { convoId }) => {
      convoOf(convoId).readBy = did;
      return { convo: await view(convoOf(convoId)) };
    },
    addReaction: (did, asked) => react('logAddReaction', did, asked),
    removeReaction: (did, asked) => react('logRemoveReaction', did, asked),
  };

  const answer = async (request, body) => {
    const url = new URL(request.url, 'http://localhost');
    const nsid = url.pathname.replace('/xrpc/', '');
    const token = JSON.parse(Buffer.from(request.headers.authorization.split('.')[1], 'base64url'));
    if (!token.aud.startsWith(NAME) || token.lxm !== nsid) throw new Refused('BadJwtAudience', 'not for this service');
    const raw = Object.fromEntries([...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.get(name)]));
    if ('members' in raw) raw.members = url.searchParams.getAll('members');
    if ('limit' in raw) raw.limit = Number(raw.limit);
    const asked = request.method === 'GET' ? lexicons.assertValidXrpcParams(nsid, raw) ?? raw : JSON.parse(body);
    if (request.method === 'POST') lexicons.assertValidXrpcInput(nsid, asked);
    const given = await methods[nsid.split('.').at(-1)](token.iss, asked);
    lexicons.assertValidXrpcOutput(nsid, given);
    return given;
  };

  const server = createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', async () => {
      response.setHeader('content-type', 'application/json');
      try {
        response.end(JSON.stringify(await answer(request, Buffer.concat(pieces).toString())));
      } catch (refused) {
        response.statusCode = 400;
        response.end(JSON.stringify({ error: refused.name, message: refused.message }));
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://localhost:${server.address().port}` };
};
