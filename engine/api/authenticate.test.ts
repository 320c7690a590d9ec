import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import { startOidcIssuer } from '../../fixtures/servers/oidc-issuer.ts'
import { readConfig } from '../config.ts'
import { Problem } from '../service/problem.ts'
import { oidcTokens } from './authenticate.ts'

const test = suite('bearer tokens')

const NOW = new Date('2026-11-24T09:00:00.000Z')

function settings(jwks: string, issuer: string, more = '') {
  const yaml = `service:\n  oidc: { issuer: "${issuer}", audience: wharfinger, jwks: "${jwks}"${more} }`
  const { oidc } = readConfig(yaml, { folder: '/x', threads: 1, scratch: '/x' }).service
  if (oidc === undefined) throw new Error('no oidc')
  return oidc
}

test('claims give roles by the configuration, however deep they lie', async () => {
  const issuer = await startOidcIssuer('wharfinger', () => NOW)
  try {
    const more =
      ', claims: { roles: realm_access.roles, integrator: folder, bodies: "https://id.example/bodies" }, roles: { integrator: [standard_user], archivist: [reader, chief], operator: [] }'
    const authenticate = oidcTokens(settings(issuer.jwks, issuer.issuer, more), () => NOW)
    const of = async (claims: Parameters<typeof issuer.token>[0]) =>
      authenticate({ authorization: `Bearer ${await issuer.token(claims)}` })
    const both = await of({
      sub: 's1',
      folder: 'retail',
      preferred_username: 'Retail',
      realm_access: { roles: ['standard_user', 'chief', 'operator'] },
      'https://id.example/bodies': ['MOCK1', 'MOCK2'],
    })
    assert.deepEqual(both, {
      subject: 's1',
      name: 'Retail',
      roles: ['integrator', 'archivist'],
      integrator: 'retail',
      bodies: ['MOCK1', 'MOCK2'],
    })
    const all = await of({
      realm_access: { roles: ['reader'] },
      'https://id.example/bodies': '*',
    })
    assert.equal(all?.bodies, 'all')
    assert.deepEqual((await of({ realm_access: 'standard_user' }))?.roles, [])
    const nameless = of({ realm_access: { roles: ['standard_user'] } })
    await assert.rejects(nameless, (error) => error instanceof Problem && error.status === 401)
    assert.equal(await authenticate({}), undefined)
    assert.equal(await authenticate({ authorization: 'Basic eDp5' }), undefined)
  } finally {
    await issuer.close()
  }
})

test('where the keys cannot be read, nobody is told that their token is wrong', async () => {
  const issuer = await startOidcIssuer('wharfinger', () => NOW)
  const broken = createServer((_request, response) => {
    response.statusCode = 500
    response.end()
  })
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
  const { port } = broken.address() as AddressInfo
  const authorization = `Bearer ${await issuer.token({ sub: 'a' })}`
  const is503 = (error: unknown) => error instanceof Problem && error.status === 503
  try {
    const failing = oidcTokens(settings(`http://127.0.0.1:${port}/`, issuer.issuer), () => NOW)
    await assert.rejects(failing({ authorization }), is503)
    await new Promise<void>((resolve) => broken.close(() => resolve()))
    const absent = oidcTokens(settings(`http://127.0.0.1:${port}/`, issuer.issuer), () => NOW)
    await assert.rejects(absent({ authorization }), is503)
  } finally {
    await issuer.close()
  }
})

test.run()
