// A whole Bluesky on loopback from its own packages: PLC directory, PDS and AppView. Direct messages come from chat.mjs.
// `ready {...}` on stdout tells the addresses. Ends with its standard input. DB_POSTGRES_URL names an empty database.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { startChat } from './chat.mjs';

const installed = createRequire(`${process.env.CARELINE_NODE_FOLDER}/package.json`);
const { TestBsky, TestBsync, TestPds, TestPlc, mockNetworkUtilities } = await import(
  pathToFileURL(installed.resolve('@atproto/dev-env')).href
);
const { lexicons } = await import(pathToFileURL(installed.resolve('@atproto/api')).href);
const CHAT = 'did:web:api.bsky.chat';
const dbPostgresUrl = process.env.DB_POSTGRES_URL;

const plc = await TestPlc.create({});
const bsync = await TestBsync.create({ apiKeys: ['bsync-api-key'], dbUrl: dbPostgresUrl, dbSchema: 'bsync' });
const pdsPort = Number(process.env.PDS_PORT);
const bsky = await TestBsky.create({
  plcUrl: plc.url,
  bsyncApiKey: 'bsync-api-key',
  bsyncUrl: bsync.url,
  repoProvider: `ws://localhost:${pdsPort}`,
  dbPostgresSchema: 'appview',
  dbPostgresUrl,
  cdnUrl: `http://localhost:${pdsPort}/img`,
});
bsync.ctx.dataplaneClients = [bsky.ctx.dataplane];
const pds = await TestPds.create({
  port: pdsPort,
  hostname: 'localhost',
  enableDidDocWithSession: true,
  didPlcUrl: plc.url,
  bskyAppViewUrl: bsky.url,
  bskyAppViewDid: bsky.ctx.cfg.serverDid,
});
mockNetworkUtilities(pds, bsky);

// The chat service is closed source; its name leads to the double, everything else to the real directory.
const chat = await startChat(pds, lexicons);
const resolve = pds.ctx.idResolver.did.resolveNoCache;
pds.ctx.idResolver.did.resolveNoCache = (did) =>
  did === CHAT
    ? Promise.resolve({ id: CHAT, service: [{ id: '#bsky_chat', type: 'BskyChatService', serviceEndpoint: chat.url }] })
    : resolve.call(pds.ctx.idResolver.did, did);

console.log('ready ' + JSON.stringify({ pds: pds.url, bsky: bsky.url, plc: plc.url, chat: chat.url }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
