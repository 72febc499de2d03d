-- The commands and autocommands; what they do is loaded when it is first needed.
if vim.g.loaded_bug_lsp then
  return
end
vim.g.loaded_bug_lsp = true

if vim.fn.has("nvim-0.11") == 0 then
  vim.notify_once("bug-lsp needs Neovim 0.11 or newer", vim.log.levels.ERROR)
  return
end

---@param name string
---@param action string a function of bug_lsp.commands
---@param complete? string a function of bug_lsp.complete
---@param opts vim.api.keyset.user_command
local function command(name, action, complete, opts)
  if complete then
    opts.complete = function(lead)
      return require("bug_lsp.complete")[complete](lead)
    end
  end
  vim.api.nvim_create_user_command(name, function(args)
    require("bug_lsp.commands")[action](args)
  end, opts)
end

command("BugDebug", "debug", "agents", {
  nargs = "*",
  range = true,
  bang = true,
  desc = "Debug the task file, the diagnostic or the lines with agents; ! asks with which",
})
command("BugRuns", "runs", nil, { desc = "Choose a run and open one of its sessions" })
command("BugOrchestrate", "orchestrate", "runs", {
  nargs = "?",
  bang = true,
  desc = "Write the synthesis of a run now; ! writes it anew",
})
command("BugCancel", "cancel", "running", {
  nargs = "?",
  bang = true,
  desc = "Cancel a session; ! cancels the whole run",
})
command("BugApply", "apply", "debugged", {
  nargs = "?",
  bang = true,
  desc = "Apply the patch of a session; ! also one that is not proven",
})
command("BugDoctor", "doctor", nil, { desc = "Which agents can run here" })

local group = vim.api.nvim_create_augroup("bug_lsp", {})

vim.api.nvim_create_autocmd("BufReadCmd", {
  group = group,
  -- Without the slash the pattern would be matched against the end of the name only, and never fit.
  pattern = "bug-lsp:/*",
  callback = function(event)
    require("bug_lsp.documents").open(event.buf)
  end,
})
vim.api.nvim_create_autocmd("LspAttach", {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == "bug_lsp" then
      require("bug_lsp.lenses").attach(event.buf)
    end
  end,
})
vim.api.nvim_create_autocmd("LspProgress", {
  group = group,
  callback = function(event)
    require("bug_lsp.progress").hear(event.data.params)
  end,
})
