/** Runs around every GPU test: an error the device reports late fails the test that caused it. */
import { afterEach } from "vitest";
import { failOnDeviceErrors } from "./testing.ts";

afterEach(failOnDeviceErrors);
