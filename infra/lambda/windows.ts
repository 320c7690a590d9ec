import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3'
import { parseWindows, WINDOWS_KEY, type Windows } from '../../lifecycle/windows.ts'

/** Undefined before the first apply. Throws on anything that is not such a document. */
export async function readWindows(s3: S3Client, bucket: string): Promise<Windows | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: WINDOWS_KEY }))
    return parseWindows((await Body?.transformToString()) ?? '')
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined
    throw error
  }
}
