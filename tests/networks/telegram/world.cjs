// An independent Bot API server (telegram-test-api) on a free port; `ready {...}` on stdout tells its address. Ends with its standard input.
// It tells bots of new messages only; what else Telegram tells (edits, business chats) goes in whole at POST /world/updates.
const { createRequire } = require('node:module');
const installed = createRequire(`${process.env.CARELINE_NODE_FOLDER}/package.json`);
const TelegramServer = installed('telegram-test-api');

const plain = TelegramServer.formatUpdate;
TelegramServer.formatUpdate = (update) => (update.whole ? { update_id: update.updateId, ...update.whole } : plain(update));

const server = new TelegramServer({ host: '127.0.0.1', port: Number(process.env.PORT), storeTimeout: 600 });
server.webServer.post('/world/updates', async (request, response) => {
  const { token, whole } = request.body;
  // The server looks for a chat in everything it holds.
  await server.addUserUpdate({ ...server.getCommonFields(token), whole, message: { chat: {} } });
  response.json({ ok: true });
});
// Before "Route not found" and the handler of errors, which the server puts last.
const routes = server.webServer._router.stack;
routes.splice(routes.length - 3, 0, routes.pop());

server.start().then(() => console.log(`ready ${JSON.stringify({ address: server.config.apiURL })}`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
