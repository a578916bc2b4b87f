// An OAuth2 server on a free loopback port: refresh tokens rotate, and one used twice kills its grant.
// argv: the folder of node_modules, client id, client secret. Says its port as one line of JSON; every
// refresh it grants or refuses is a line after that.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [modules, clientId, clientSecret] = process.argv.slice(2);
const { default: Provider } = await import(
  pathToFileURL(`${modules}/oidc-provider/lib/index.js`).href
);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{
      client_id: clientId,
      client_secret: clientSecret,
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://encaisse.example/retour'],
    }],
    cookies: { keys: ['essai'] },
    features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client, code) => client.grantTypeAllowed('refresh_token')
      && code.scopes.has('offline_access'),
    ttl: { AccessToken: 3600, RefreshToken: 86400, Grant: 86400, Interaction: 600, Session: 600,
      IdToken: 600, AuthorizationCode: 60 },
  });
  const refresh = (outcome) => (ctx) => {
    if (ctx.oidc.params?.grant_type === 'refresh_token') say({ refresh: outcome });
  };
  provider.on('grant.success', refresh('granted'));
  provider.on('grant.error', refresh('refused'));
  provider.on('grant.revoked', () => say({ revoked: true }));
  server.on('request', provider.callback());
  say({ port });
});
