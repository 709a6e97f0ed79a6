import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Charts get a chunk of their own by being imported lazily: naming it here would draw React into it.
const tensorflowGroup = { name: "tensorflow", test: /node_modules[\\/]@tensorflow[\\/]/ };

export default defineConfig({
  // Relative, so that the built folder works under any path and from any static file server.
  base: "./",
  plugins: [react()],
  build: { target: "esnext", sourcemap: false },
  worker: {
    format: "es",
    rolldownOptions: { output: { codeSplitting: { groups: [tensorflowGroup] } } },
  },
  preview: { port: 4173 },
});
