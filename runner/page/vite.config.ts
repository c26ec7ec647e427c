import { defineConfig } from "vite";

/** The server that `npm run dev` shows the page of. */
const server = process.env["RTSP_CLOCK_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
    base: "./",
    build: {
        outDir: "dist",
        emptyOutDir: true,
        target: "es2023",
        modulePreload: { polyfill: false },
        assetsInlineLimit: 0,
        reportCompressedSize: false,
        // Plain names: the server tells browsers by ETag whether a file is another one.
        rolldownOptions: {
            output: {
                entryFileNames: "page.js",
                chunkFileNames: "[name].js",
                assetFileNames: "page[extname]",
            },
        },
    },
    server: { proxy: { "/api": { target: server, ws: true } } },
});
