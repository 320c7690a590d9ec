import { suite } from 'uvu'
import { startMotoServer } from '../../fixtures/servers/moto-server.ts'
import { createS3Store } from './s3-store.ts'
import { describeStoreContract } from './store.contract.ts'

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'

const moto = await startMotoServer()
if (moto === undefined) {
  const test = suite('store contract: S3 (moto_server)')
  test('is skipped where the machine has no moto_server', () =>
    console.log('SKIPPED store contract on moto_server: it is not on this machine'))
  test.run()
} else {
  const makeBucketOnMoto = async () => {
    await moto.makeBucket('contract')
    const store = createS3Store({
      kind: 's3',
      bucket: 'contract',
      prefix: 'some/prefix/',
      endpoint: moto.endpoint,
      forcePathStyle: true,
      region: 'us-east-1',
    })
    return {
      store,
      close: async () => {
        await store.close()
        moto.close()
      },
    }
  }
  // moto's URL router cuts keys at a line break.
  describeStoreContract('S3 (moto_server)', makeBucketOnMoto, {
    manyKeys: 1050,
    holdsAnyKey: true,
    holdsLineBreaks: false,
  })
}
