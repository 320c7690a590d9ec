import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import { createS3Store } from './s3-store.ts'
import { describeStoreContract } from './store.contract.ts'

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'

async function makeBucketOnLocalServer() {
  const server = await startS3Server()
  server.makeBucket('contract')
  const store = createS3Store({
    kind: 's3',
    bucket: 'contract',
    prefix: 'some/prefix/',
    endpoint: server.endpoint,
    forcePathStyle: true,
    region: 'eu-west-2',
  })
  return {
    store,
    close: async () => {
      await store.close()
      await server.close()
    },
  }
}

describeStoreContract('S3', makeBucketOnLocalServer, {
  manyKeys: 1200,
  holdsAnyKey: true,
  holdsLineBreaks: true,
})
