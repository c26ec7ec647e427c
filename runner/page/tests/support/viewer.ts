import { spawn } from "node:child_process";

/** Plays a camera with GStreamer, until the function that this answers is called. */
export function play(url: string): () => Promise<void> {
    const pipeline = ["-q", "rtspsrc", "protocols=tcp", `location=${url}`, "!", "fakesink"];
    const child = spawn("gst-launch-1.0", pipeline, { stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    return async () => {
        child.kill("SIGINT");
        await ended;
    };
}
