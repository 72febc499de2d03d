-- How the server is started. Yours goes over it: vim.lsp.config("bug_lsp", { ... }).

---@type vim.lsp.Config
return {
  cmd = { "bug-lsp", "serve" },
  root_dir = function(bufnr, on_dir)
    require("bug_lsp.server").root(bufnr, on_dir)
  end,
  capabilities = {
    workspace = {
      textDocumentContent = { dynamicRegistration = false },
      codeLens = { refreshSupport = true },
    },
    -- A question takes the keyboard from someone who types. What the server would offer with its
    -- news, the commands offer at any time.
    window = { showMessage = vim.NIL },
  },
  handlers = {
    ["workspace/textDocumentContent/refresh"] = function(_, params, ctx)
      return require("bug_lsp.documents").refresh(params.uri, ctx.client_id)
    end,
    ["workspace/codeLens/refresh"] = function(_, _, ctx)
      return require("bug_lsp.lenses").refresh(ctx.client_id)
    end,
    ["workspace/applyEdit"] = function(err, params, ctx)
      return require("bug_lsp.edits").apply(err, params, ctx)
    end,
    ["window/showMessage"] = function(_, params)
      require("bug_lsp.message").notify(params.message, params.type)
    end,
    ["bugLsp/runChanged"] = function(_, params)
      vim.api.nvim_exec_autocmds("User", { pattern = "BugLspRunChanged", data = params })
    end,
  },
}
