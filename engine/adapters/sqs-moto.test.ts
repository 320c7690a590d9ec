import { suite } from 'uvu'
import { startMotoServer } from '../../fixtures/servers/moto-server.ts'
import { describeSqsContract } from './sqs.contract.ts'

const moto = await startMotoServer()
if (moto === undefined) {
  const test = suite('queue contract: SQS (moto_server)')
  test('is skipped where the machine has no moto_server', () =>
    console.log('SKIPPED queue contract on moto_server: it is not on this machine'))
  test.run()
} else describeSqsContract('SQS (moto_server)', moto.endpoint, () => moto.close())
